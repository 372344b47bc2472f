"""What several tests share: places, small models, a notebook's cells, pictures of widgets, servers and pages."""
