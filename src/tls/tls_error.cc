// tls_error: see tls_error.h
