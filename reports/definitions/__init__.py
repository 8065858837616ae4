"""Reports as data, before anybody draws them. Pure: no framework, file, clock or chance."""
