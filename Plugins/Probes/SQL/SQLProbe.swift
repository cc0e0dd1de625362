// SQLProbe
