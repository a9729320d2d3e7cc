# QEMU's virt machine, which exists nowhere else.

virt.ARCH      := aarch64
virt.TRIPLE   := aarch64-unknown-none-softfloat
virt.FEATURES := board-virt
virt.LINKER   := linker/virt.ld
virt.FORMAT   := img

virt.QEMU = qemu-system-aarch64 -machine $(or $(MACHINE),virt) -cpu $(or $(CPU),cortex-a57) \
  -smp $(or $(SMP),4) -m $(or $(MEM),256M) -nic none \
  $(if $(filter none,$(RNG)),,-device virtio-rng-device$(comma)bus=virtio-mmio-bus.16) \
  $(call disk,$(DISK),disk1,virtio-blk-device$(comma)bus=virtio-mmio-bus.0) \
  $(call disk,$(DISK2),disk2,virtio-blk-device$(comma)bus=virtio-mmio-bus.8) \
  -semihosting-config enable=on,target=native \
  -kernel $(or $(KERNEL),target/virt/ochre.img)

image-virt:
	@mkdir -p dist
	cp target/virt/ochre.img dist/ochre-virt.img
