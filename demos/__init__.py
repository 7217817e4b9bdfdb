"""The demos that come with labdeck, one folder for each topic; of labdeck they import the contract."""
