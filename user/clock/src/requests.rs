//! What the service is asked. It is asked once: from then on whoever asked counts by itself.

protocol::protocol! {
    version 1;
    failures {
        1 Broken "The clock says nothing that makes sense.";
        2 Gone "The service was given up, or makes no sense.";
    } otherwise Gone;
    requests {
        1 Now() -> (u64, u64), Replay,
            "A moment of the monotonic clock, and what time it was then, in nanoseconds since 1970.";
    }
}
