//! Balanced trees against the standard library's.

use crate::support::cases;
use crate::support::{MIB, machine};
use ochre::mm::tree::{Key, Links, Node, Tree};
use ochre::mm::{Arena, Id};
use proptest::prelude::*;
use std::collections::BTreeMap;

struct Item {
    key: Key,
    links: Links<Item>,
}

impl Node for Item {
    fn key(&self) -> Key {
        self.key
    }

    fn links(&self) -> &Links<Item> {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links<Item> {
        &mut self.links
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_tree_is_an_ordered_map(
        steps in prop::collection::vec((0u64..40, 0u32..3, 0..3), 1..if cfg!(miri) { 60 } else { 400 }),
    ) {
        let mut ram = machine(4 * MIB, 1).expect("it fits").vm.ram;
        let mut arena = Arena::new(14);
        let mut tree: Tree<Item> = Tree::EMPTY;
        let mut model: BTreeMap<Key, Id<Item>> = BTreeMap::new();
        for (high, low, step) in steps {
            let key = (high, low);
            match (step, model.get(&key).copied()) {
                (0, Some(id)) => {
                    tree.remove(&mut arena, id);
                    arena.remove(id);
                    model.remove(&key);
                }
                (_, None) => {
                    let item = Item { key, links: Links::NONE };
                    let id = arena.insert(item, &mut ram).expect("there is room");
                    tree.insert(&mut arena, id);
                    model.insert(key, id);
                }
                _ => {}
            }
            prop_assert_eq!(tree.check(&arena), Ok(()));
            prop_assert_eq!(tree.is_empty(), model.is_empty());
            prop_assert_eq!(tree.first(&arena), model.values().next().copied());
            let floor = model.range(..=key).next_back().map(|(_, &id)| id);
            prop_assert_eq!(tree.floor(&arena, key), floor);
            let next = model.range((high, low + 1)..).next().map(|(_, &id)| id);
            prop_assert_eq!(tree.next_after(&arena, key), next);
        }
    }
}
