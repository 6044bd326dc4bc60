//! What both sides have in common below the stream.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::Result;
use quinn::congestion::BbrConfig;
use quinn::{TransportConfig, VarInt};
use socket2::{Domain, Protocol, Socket, Type};

/// How much may be on its way unacknowledged. quinn's default, 1.25 MB, would be the limit at ten
/// milliseconds, and not what we want to see: its congestion control.
const WINDOW_BYTES: u32 = 32 * 1024 * 1024;
/// What we ask the system to hold for us; it gives what its limits allow (`net.core.rmem_max`).
const SOCKET_BYTES: usize = 8 * 1024 * 1024;

pub fn config(bbr: bool) -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    let window = VarInt::from_u32(WINDOW_BYTES);
    config.stream_receive_window(window).receive_window(window).send_window(WINDOW_BYTES.into());
    if bbr {
        config.congestion_controller_factory(Arc::new(BbrConfig::default()));
    }
    Arc::new(config)
}

pub fn bind(address: SocketAddr) -> Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may give less; that is no failure.
    let _ = socket.set_recv_buffer_size(SOCKET_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}
