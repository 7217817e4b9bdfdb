"""The demos that come with labdeck, a folder each topic; of labdeck they import the contract."""
