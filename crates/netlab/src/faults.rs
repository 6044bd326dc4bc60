//! What can happen to bytes between two programs, and who decides it: a seed.

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a client to the server.
    ToServer,
    /// From the server to a client.
    ToClient,
}

/// What the relay does with one datagram (or, where it makes sense, one piece of a stream).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Pass,
    /// It is lost.
    Lose,
    /// It arrives twice.
    Duplicate,
    /// It waits until so many later ones have overtaken it.
    Reorder(u32),
    /// One of its bytes arrives changed.
    Corrupt,
    /// It is larger than the network carries (MTU), and is dropped.
    TooLarge,
    /// The queue before the bottleneck is full, and it is dropped.
    QueueFull,
}
