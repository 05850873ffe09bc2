"""What Polar does: the rules of checkouts, subscriptions, orders and customers, apart from HTTP."""
