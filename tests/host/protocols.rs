//! What is written as one side's request is read as the other's; and whatever else arrives is refused.

use crate::support::cases;
use files::requests::{Create, Stat, Write};
use files::{Asked, Attributes, Refused, Window, answer};
use proptest::prelude::*;
use protocol::parcel::{Handle, WORDS};
use protocol::{Ask, Fails, Parcel, Reader};

/// A small service.
mod zoo {
    protocol::record! {
        /// An animal.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Animal {
            /// Its number.
            pub number: u8,
            /// Whether it is awake.
            pub awake: bool,
            /// Where it is.
            pub place: [i64; 3],
        }
    }

    protocol::protocol! {
        version 2;
        failures {
            1 Asleep "It sleeps.";
            2 Escaped "It is not there.";
        } otherwise Escaped;
        requests<M> {
            1 Count() -> u32, Replay, "How many there are.";
            2 Look(number: u8, far: bool) -> Animal, Replay, "How one is.";
            3 Feed(number: u8, what: u64, when: i64, much: u64, more: u64), Never, "It gets something.";
            4 House<M>(memory: M, pages: u32) -> (u64, Animal), Replay, "It has a house.";
        }
    }
}

/// The same service, later.
mod newer {
    protocol::protocol! {
        version 3;
        failures { 1 Closed "Nobody is there."; } otherwise Closed;
        requests { 1 Count() -> u64, Replay, "How many there are."; }
    }
}

/// A service that is asked with texts.
mod library {
    protocol::protocol! {
        version 1;
        failures { 1 Lent "Somebody else has it."; } otherwise Lent;
        requests<'a> {
            1 Find<'a>(shelf: u64, title: &'a str, author: &'a [u8]) -> u64, Replay, "Where a book is.";
            2 Close(), Never, "Everybody goes home.";
        }
    }
}

fn read(label: u32, parcel: &Parcel) -> Result<zoo::Request<Handle>, zoo::Failure> {
    zoo::Request::read(label, &mut parcel.reader())
}

/// What is read where all of it is lent.
fn lent(bytes: &[u8]) -> Reader<'_> {
    Reader { bytes, ..Reader::default() }
}

fn animal() -> impl Strategy<Value = zoo::Animal> {
    any::<(u8, bool, [i64; 3])>().prop_map(|(number, awake, place)| zoo::Animal {
        number,
        awake,
        place,
    })
}

proptest! {
    #![proptest_config(cases(256))]
    #[test]
    fn requests_are_read_as_they_were_written(
        number: u8, far: bool, what: u64, when: i64, much: u64, more: u64, memory: u64, pages: u32,
    ) {
        use zoo::{Feed, House, Look, Request};
        let look = Look { number, far };
        prop_assert_eq!(read(Look::LABEL, &Parcel::of(look)), Ok(Request::Look(look)));
        let feed = Feed { number, what, when, much, more };
        prop_assert_eq!(read(Feed::LABEL, &Parcel::of(feed)), Ok(Request::Feed(feed)));
        let bytes = Parcel::of(feed).to_bytes();
        let lent = Request::<Handle>::read(Feed::LABEL, &mut lent(&bytes));
        prop_assert_eq!(lent, Ok(Request::Feed(feed)));
        prop_assert_eq!(Parcel::of(feed).words().len(), WORDS);
        prop_assert_eq!(Parcel::of(feed).bytes().len(), 8);
        let house = House { memory: Handle(memory), pages };
        let parcel = Parcel::of(house);
        prop_assert_eq!(parcel.handles(), &[memory]);
        prop_assert_eq!(read(House::<Handle>::LABEL, &parcel), Ok(Request::House(house)));
    }

    #[test]
    fn texts_are_read_as_they_were_written(
        title in "[^\0]*", author in prop::collection::vec(1..=255u8, 0..40), shelf: u64,
    ) {
        let find = library::Find { shelf, title: &title, author: &author };
        let parcel = Parcel::of(find);
        let bytes = parcel.to_bytes();
        for mut from in [parcel.reader(), lent(&bytes)] {
            let request = library::Request::read(library::Find::LABEL, &mut from);
            prop_assert_eq!(request, Ok(library::Request::Find(find)));
        }
    }

    #[test]
    fn answers_are_read_as_they_were_written(animal in animal(), count: u64, label: u32) {
        let look = zoo::Look { number: 1, far: false };
        prop_assert_eq!(zoo::Look::told(0, &mut look.answer(animal).reader()), Ok(animal));
        let house = zoo::House { memory: Handle(1), pages: 1 };
        let answer = house.answer((count, animal));
        prop_assert_eq!(zoo::House::<Handle>::told(0, &mut answer.reader()), Ok((count, animal)));
        // Whatever the label: it is a failure, and the same as whoever answered has named.
        let label = label.max(1);
        let failure = zoo::Look::told(label, &mut answer.reader()).unwrap_err();
        prop_assert!(failure.label() == label || failure == zoo::Failure::OTHERWISE);
    }

    #[test]
    fn nothing_that_arrives_is_too_much(
        version in 0..4u16, number in 0..6u16, words in prop::collection::vec(any::<u64>(), 0..=WORDS),
        bytes in prop::collection::vec(0..4u8, 0..60), handles in prop::collection::vec(any::<u64>(), 0..3),
    ) {
        let from = Reader { words: &words, handles: &handles, bytes: &bytes };
        let label = protocol::label(version, number);
        match zoo::Request::<Handle>::read(label, &mut from.clone()) {
            Ok(_) => prop_assert!(version == zoo::VERSION && (1..=4).contains(&number)),
            Err(zoo::Failure::OtherVersion) => prop_assert_ne!(version, zoo::VERSION),
            Err(why) => prop_assert_eq!(why, zoo::Failure::Invalid),
        }
        let _ = library::Request::read(label, &mut from.clone());
        let _ = zoo::Look::told(0, &mut from.clone());
    }
}

#[test]
fn a_server_of_another_version_is_refused() {
    let zoo = read(newer::Count::LABEL, &Parcel::of(newer::Count {}));
    assert_eq!(zoo, Err(zoo::Failure::OtherVersion));
    // Each side knows the label of that failure, whatever else has changed.
    let label = zoo::Failure::OtherVersion.label();
    let told = newer::Count::told(label, &mut Reader::default());
    assert_eq!(told, Err(newer::Failure::OtherVersion));
    let newer = newer::Request::read(zoo::Count::LABEL, &mut Reader::default());
    assert_eq!(newer, Err(newer::Failure::OtherVersion));
}

#[test]
fn what_lacks_something_is_refused() {
    use zoo::{Failure, Look, Request};
    assert_eq!(read(Look::LABEL, &Parcel::of(1u64)), Err(Failure::Invalid));
    assert_eq!(read(Look::LABEL, &Parcel::of([256u64, 0])), Err(Failure::Invalid));
    assert_eq!(read(Look::LABEL, &Parcel::of([1u64, 2])), Err(Failure::Invalid));
    assert_eq!(
        read(Look::LABEL, &Parcel::of([1u64, 1])),
        Ok(Request::Look(Look { number: 1, far: true }))
    );
    assert_eq!(read(zoo::House::<Handle>::LABEL, &Parcel::of(1u64)), Err(Failure::Invalid));
    assert_eq!(read(protocol::label(zoo::VERSION, 9), &Parcel::default()), Err(Failure::Invalid));
    let unfinished = lent(b"12345678a title");
    let find = library::Request::read(library::Find::LABEL, &mut unfinished.clone());
    assert_eq!(find, Err(library::Failure::Invalid));
    assert_eq!(zoo::Count::told(0, &mut Reader::default()), Err(Failure::Escaped));
}

/// What goes along with a request for files, and nothing that comes back.
struct Given<'a>(&'a [u8]);

impl Window for Given<'_> {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> files::Result<()> {
        let from = self.0.get(offset as usize..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(files::Failure::Invalid)?);
        Ok(())
    }

    fn write(&mut self, _: u64, _: &[u8]) -> files::Result<()> {
        Err(files::Failure::Invalid)
    }
}

/// What a server of files answers that refuses all that makes sense.
fn refused(label: u32, lengths: [u64; 2], given: &[u8]) -> files::Failure {
    let asked = Asked { label, lengths, number: 1 };
    let mut server = Refused(files::Failure::ReadOnly);
    answer(&mut server, &asked, &mut Given(given)).err().unwrap_or(files::Failure::ReadOnly)
}

proptest! {
    #![proptest_config(cases(256))]
    #[test]
    fn requests_for_files_are_read_as_they_were_written(
        directory: u64, mode: u32, times: [i64; 3], name in "[^\0]{1,255}", target in "[^\0]*", now: i64,
    ) {
        let attributes = Attributes { mode, times, ..Attributes::default() };
        let (name, target) = (name.as_bytes(), target.as_bytes());
        let create = Create { directory, attributes, name, target };
        let request = files::Request::of(create).stamped(7, now);
        let (asked, given) = request.given();
        let mut from = lent(given);
        prop_assert_eq!(from.take(), Some(now));
        let read = files::requests::Request::read(asked.label, &mut from);
        prop_assert_eq!(read, Ok(files::requests::Request::Create(create)));
        prop_assert!(from.bytes.is_empty());
        prop_assert_eq!(Parcel::of(attributes).to_bytes().len(), Attributes::BYTES);
    }

    #[test]
    fn no_request_for_files_is_too_much(
        version in 0..3u16, number in 0..18u16, lengths: [u32; 2], exact: bool,
        given in prop::collection::vec(0..4u8, 0..200),
    ) {
        let [length, room] = lengths.map(u64::from);
        let length = if exact { given.len() as u64 } else { length };
        let why = refused(protocol::label(version, number), [length, room], &given);
        prop_assert!(version == files::requests::VERSION || why != files::Failure::ReadOnly);
    }
}

#[test]
fn a_server_of_files_answers_its_own_version() {
    let stat = files::Request::of(Stat { file: 1 });
    let (asked, given) = stat.given();
    assert_eq!(refused(asked.label, asked.lengths, given), files::Failure::ReadOnly);
    assert_eq!(
        refused(asked.label + (1 << 16), asked.lengths, given),
        files::Failure::OtherVersion
    );
    assert_eq!(refused(asked.label, [given.len() as u64 - 1, 0], given), files::Failure::Invalid);
    // One that writes more than a request may, and one without a place.
    let [most, few] = [files::MOST as u64 + 25, 16].map(|length| [length, 0]);
    assert_eq!(refused(Write::LABEL, most, &[0; 24]), files::Failure::Invalid);
    assert_eq!(refused(Write::LABEL, few, &[0; 24]), files::Failure::Invalid);
}
