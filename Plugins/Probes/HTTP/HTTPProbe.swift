// HTTPProbe
