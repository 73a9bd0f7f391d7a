"""No table of its own; that there is this module makes Django send us post_migrate, last."""
