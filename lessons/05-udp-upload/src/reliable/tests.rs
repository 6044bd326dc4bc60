//! The receiver, fed by hand.
