"""Makes the file of a region's prices from AWS's public price list."""
