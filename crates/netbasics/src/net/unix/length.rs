//! How long the path of a socket may be.

/// How many bytes the path of a socket has at most: `sun_path` of unix(7) less the zero byte at its
/// end. Linux has 108, the BSDs and macOS have 104.
pub const MAX_PATH_BYTES: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };
