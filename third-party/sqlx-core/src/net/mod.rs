mod socket;
pub mod tls;

pub use socket::{
    connect_tcp, connect_uds, set_largest_answer, BufferedSocket, Socket, SocketIntoBox, WithSocket, WriteBuffer,
};
