"""Where the traffic goes: shares of servers, pools and routes."""
