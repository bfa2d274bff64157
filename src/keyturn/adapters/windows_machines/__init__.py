"""Windows machines managed from afar: their services by MS-SCMR and their tasks by MS-TSCH, over encrypted SMB 3."""
