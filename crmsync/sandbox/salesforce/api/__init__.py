"""The org over HTTP: REST, Tooling, Metadata and the bits of SOAP that clients still use."""
