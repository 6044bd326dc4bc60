//! The graded tests (being written).
