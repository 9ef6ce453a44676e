"""What a recorded stack costs in a month, from list prices that are files beside this."""
