"""The dashboards of Docket, as code; `make dashboards` writes charts/docket/dashboards/ from it."""
