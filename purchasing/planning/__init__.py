"""How much to keep and to buy, and why: arithmetic without a database.

series → forecasting → protection (safety stock, reorder point) → ordering (quantity).
Sources: Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains, 4th ed.
(SPT below); Syntetos & Boylan, The accuracy of intermittent demand estimates, IJF 21 (2005);
Gardner & McKenzie, Forecasting trends in time series, Management Science 31 (1985).
"""
