"""lbcheck: says where a load balancer's traffic will go before its config is deployed."""

__version__ = "0.1.0"
