//! The codec of gRPC messages: prost's, with smaller buffers than tonic's default.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{self, BufferSettings};
use tonic_prost::ProstCodec;

/// Initial size of a buffer. Most messages fit; for a larger one the buffer grows. tonic's default is 8 KiB for each request
/// and each response.
const BUFFER_BYTES: usize = 1024;

/// How much of a stream of messages is buffered before it is sent: tonic's default. Our own methods have no streams.
const YIELD_THRESHOLD_BYTES: usize = 32 * 1024;

/// The codec of all our gRPC services and clients.
pub(crate) struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as codec::Codec>::Encoder;
    type Decoder = <ProstCodec<T, U> as codec::Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::new(BUFFER_BYTES, YIELD_THRESHOLD_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<T, U>::raw_decoder(BufferSettings::new(BUFFER_BYTES, YIELD_THRESHOLD_BYTES))
    }
}
