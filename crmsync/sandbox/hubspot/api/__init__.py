"""The endpoints, one module per part of HubSpot's API; each has ``ENDPOINTS``, its rows of the route table."""
