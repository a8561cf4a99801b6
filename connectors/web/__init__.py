"""Web APIs: REST with paging, OData, Salesforce and HubSpot, over one HTTP client."""
