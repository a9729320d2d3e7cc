//! The threads of all guests, by the tags that their calls arrive with: a place in a list, and how often
//! it was given away before.

use crate::process::Task;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// The list. A place of a thread that is no more is given to another one.
#[derive(Default)]
pub struct Tasks {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Place {
    /// The tag of the thread that is there, or will be next.
    tag: u64,
    task: Option<Rc<Task>>,
}

impl Tasks {
    /// The thread of a tag.
    pub fn get(&self, tag: u64) -> Option<&Rc<Task>> {
        let place = self.places.get(tag as u32 as usize).filter(|place| place.tag == tag)?;
        place.task.as_ref()
    }

    /// The tag of the next thread.
    pub fn next(&mut self) -> u64 {
        let at = self.free.last().copied().unwrap_or(self.places.len() as u32);
        self.places.get(at as usize).map_or(at.into(), |place| place.tag)
    }

    /// Adds a thread, whose tag is the next one.
    pub fn add(&mut self, task: Rc<Task>) {
        let (tag, at) = (task.tag, task.tag as u32 as usize);
        if self.free.last() == Some(&(at as u32)) {
            self.free.pop();
            self.places[at].task = Some(task);
        } else {
            self.places.push(Place { tag, task: Some(task) });
        }
    }

    /// Takes out a thread, whose tag comes never again.
    pub fn remove(&mut self, tag: u64) -> Option<Rc<Task>> {
        let place = self.places.get_mut(tag as u32 as usize).filter(|place| place.tag == tag)?;
        let task = place.task.take()?;
        place.tag = place.tag.wrapping_add(1 << 32);
        self.free.push(tag as u32);
        Some(task)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Rc<Task>> {
        self.places.iter().filter_map(|place| place.task.as_ref())
    }
}
