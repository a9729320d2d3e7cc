//! What the service is asked.

protocol::protocol! {
    version 1;
    failures {
        1 Gone "The service was given up, or makes no sense.";
    } otherwise Gone;
    requests {
        1 Seed() -> [u64; 4], Replay, "A seed, of which there is no other.";
    }
}
