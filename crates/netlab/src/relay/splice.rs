//! The fast way through for bytes that nobody looks at: the kernel moves them from socket to pipe
//! to socket (splice(2), Linux) and they never come to us.

use std::io;

use super::flow::{Outcome, Side};
use super::monitor::Monitor;
use crate::faults::Direction;

#[cfg(target_os = "linux")]
pub(super) use linux::KernelPipe as Splice;
#[cfg(not(target_os = "linux"))]
pub(super) use none::NoPipe as Splice;

/// What moves bytes past us.
pub(super) trait Shortcut {
    /// Moves what can be moved, and says whether the sender has ended.
    ///
    /// # Errors
    ///
    /// When the system gives no pipe; nothing has been moved then.
    fn turn(
        &mut self,
        from: &mut Side,
        to: &mut Side,
        direction: Direction,
        monitor: &Monitor,
    ) -> io::Result<(Outcome, bool)>;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::io::Errno;
    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

    use super::{Direction, Monitor, Outcome, Shortcut, Side, io};
    use crate::faults::Fate;

    /// Measured: less means more calls, more means that the bytes have left the processor's cache
    /// before the receiver copies them.
    const PIPE_BYTES: usize = 512 << 10;
    /// What one turn moves at most, so that others get theirs.
    const TURN_BYTES: usize = 4 << 20;

    /// A pipe while something is in it or about to be.
    #[derive(Default)]
    pub(in super::super) struct KernelPipe {
        pipe: Option<(OwnedFd, OwnedFd)>,
        inside: usize,
        ended: bool,
        reset: bool,
    }

    impl Shortcut for KernelPipe {
        fn turn(
            &mut self,
            from: &mut Side,
            to: &mut Side,
            direction: Direction,
            monitor: &Monitor,
        ) -> io::Result<(Outcome, bool)> {
            let mut left = TURN_BYTES;
            while left > 0 {
                if self.inside == 0 && !self.fill(from, direction, monitor)? {
                    let outcome = Outcome { reset: self.reset, ..Outcome::default() };
                    return Ok((outcome, self.ended));
                }
                match self.empty(to, direction, monitor) {
                    Ok(0) => return Ok((Outcome::default(), false)),
                    Ok(moved) => left = left.saturating_sub(moved),
                    Err(_) => return Ok((Outcome { refused: true, ..Outcome::default() }, false)),
                }
            }
            Ok((Outcome { more: true, ..Outcome::default() }, false))
        }
    }

    impl KernelPipe {
        /// Moves from the socket into the empty pipe; `false` if nothing came.
        fn fill(
            &mut self,
            from: &mut Side,
            direction: Direction,
            monitor: &Monitor,
        ) -> io::Result<bool> {
            if !from.readable || self.ended || self.reset {
                return Ok(false);
            }
            let (_, into) = match &mut self.pipe {
                Some(pipe) => pipe,
                none => none.insert(open()?),
            };
            match splice(&from.stream, None, into, None, PIPE_BYTES, flags()) {
                Ok(0) => self.ended = true,
                Ok(moved) => {
                    monitor.counters.came_in(direction, Fate::Pass, moved);
                    self.inside = moved;
                    return Ok(true);
                }
                Err(Errno::AGAIN) => from.readable = false,
                Err(Errno::INTR) => return self.fill(from, direction, monitor),
                Err(_) => self.reset = true,
            }
            self.pipe = None; // an idle connection holds no pipe
            Ok(false)
        }

        /// Moves from the pipe into the other socket; 0 if that takes no more now.
        fn empty(
            &mut self,
            to: &mut Side,
            direction: Direction,
            monitor: &Monitor,
        ) -> io::Result<usize> {
            let Some((out, _)) = &self.pipe else { return Ok(0) };
            if !to.writable {
                return Ok(0);
            }
            match splice(out, None, &to.stream, None, self.inside, flags()) {
                Ok(moved) => {
                    monitor.counters.went_out(direction, 1, moved);
                    self.inside -= moved;
                    Ok(moved)
                }
                Err(Errno::AGAIN) => {
                    to.writable = false;
                    Ok(0)
                }
                Err(Errno::INTR) => self.empty(to, direction, monitor),
                Err(error) => Err(error.into()),
            }
        }
    }

    fn flags() -> SpliceFlags {
        SpliceFlags::MOVE | SpliceFlags::NONBLOCK
    }

    fn open() -> io::Result<(OwnedFd, OwnedFd)> {
        let pipe = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?;
        let _ = fcntl_setpipe_size(&pipe.1, PIPE_BYTES); // a smaller one is slower, no more
        Ok(pipe)
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use super::{Direction, Monitor, Outcome, Shortcut, Side, io};

    #[derive(Default)]
    pub(in super::super) struct NoPipe;

    impl Shortcut for NoPipe {
        fn turn(
            &mut self,
            _: &mut Side,
            _: &mut Side,
            _: Direction,
            _: &Monitor,
        ) -> io::Result<(Outcome, bool)> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
