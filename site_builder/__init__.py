"""The course as a site of plain files, built from the saved notebooks: python -m site_builder."""
