SIDEBAR: list = []
