//! What a port number means (being written).
