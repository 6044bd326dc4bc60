//! What both sides have in common below the stream: quinn as it comes, or with room for more data
//! on its way.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::Result;
use quinn::congestion::BbrConfig;
use quinn::{TransportConfig, VarInt};
use socket2::{Domain, Protocol, Socket, Type};

use crate::Cli;

/// How much may be on its way unacknowledged, with `--large-windows`. quinn's default, 1.25 MB on a
/// stream, may be used up within a round trip before its congestion control has a say.
const WINDOW_BYTES: u32 = 32 * 1024 * 1024;
/// What we ask the system to hold for us, with `--large-windows`; it gives what its limits allow (`net.core.rmem_max`).
const SOCKET_BYTES: usize = 8 * 1024 * 1024;

pub fn config(cli: &Cli) -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    if cli.large_windows {
        let window = VarInt::from_u32(WINDOW_BYTES);
        config.stream_receive_window(window).receive_window(window);
        config.send_window(WINDOW_BYTES.into());
    }
    if cli.bbr {
        config.congestion_controller_factory(Arc::new(BbrConfig::default()));
    }
    Arc::new(config)
}

pub fn bind(address: SocketAddr, cli: &Cli) -> Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if cli.large_windows {
        // The system may give less; that is no failure.
        let _ = socket.set_recv_buffer_size(SOCKET_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BYTES);
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
