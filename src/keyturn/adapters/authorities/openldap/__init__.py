"""An OpenLDAP directory whose passwords are kept by the ppolicy overlay, as an authority."""
