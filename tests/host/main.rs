//! Tests that run on the developer's machine: the laws of the portable kernel, and the shape of
//! its source.

mod block_partitions;
mod block_server;
mod clock;
// Miri has nothing to see in there: it reads the documentation.
#[cfg(not(miri))]
mod docs;
mod devices_pci;
mod devices_tree;
mod fw_acpi;
mod fw_broken_trees;
mod fw_device_tree;
mod fw_elf;
mod fw_loaders;
mod fw_lying_trees;
mod fw_memory;
mod fw_random;
mod fw_regions;
mod fw_small;
mod fw_tree;
mod kernel;
// Miri has nothing to see in there, and needs minutes to read the source.
#[cfg(not(miri))]
mod layering;
mod mm_asid;
mod mm_early;
mod mm_frames;
mod mm_kernel_space;
mod mm_page_table;
mod protocols;
mod services;
mod sim;
mod sim_calls;
mod sim_check;
mod sim_check_objects;
mod sim_fast;
mod sim_fuzz;
mod sim_handles;
mod sim_ipc;
mod sim_rng;
mod sim_sched;
mod sim_stage;
mod mm_tree;
mod mm_vm;
mod mm_vm_model;
mod mm_vm_steps;
mod mm_world;
// Miri starts no other program.
#[cfg(not(miri))]
mod rootfs;
mod support;
