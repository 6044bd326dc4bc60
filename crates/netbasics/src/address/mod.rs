//! What an address means (being written).
