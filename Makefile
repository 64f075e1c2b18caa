# SPDX-License-Identifier: BSD-2-Clause
#
# Everything is built under build/ (with SAN=1 under build/san/, with TSAN=1 under build/tsan/); `make help` lists the
# targets. Files are found by their directory, so a new one needs no line here:
#   user/base user/wire user/engine       build/lib/libxlane-engine.a   (what of it touches no system)
#   these and user/{drv,xdp,worker,channel,lib}   build/lib/libxlane.a, libxlane.so
#   user/cli                              build/bin/xlane
#   user/daemon                           build/bin/xlaned
#   bpf/*.bpf.c                           build/bpf/*.bpf.o
#   examples/*.c                          build/examples/*
#   tests/unit/test_*.c tests/bpf/test_*.c  build/tests/test_*
#   tests/{tools,bench}/*.c               build/tests/{tools,bench}/*, one for each file that has a main
#   tests/sim/*.c                         build/xlane-sim
#   tests/script/*.c                      build/xlane-script

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
LIBDIR = $(PREFIX)/lib
BPFDIR = $(LIBDIR)/bpf
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man
SHAREDIR = $(PREFIX)/share/xlane
UNITDIR ?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
API_VERSION := $(shell sed -n 's/^\#define XLANE_API_VERSION //p' include/xlane/xlane.h)

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
STRIP_BPF ?= llvm-strip
AR := ar
PKG_CONFIG ?= pkg-config

B := build
WARN := -Wall -Wextra -Werror
CFLAGS ?= -O2 -g
CPPFLAGS_ALL := -Iinclude -Iuser -D_GNU_SOURCE $(CPPFLAGS)
ifdef SAN
B := build/san
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifdef TSAN
B := build/tsan
HARDEN := -fsanitize=thread -fno-omit-frame-pointer
# Fences between atomic operations on both sides of them are beyond this sanitizer, which says so; those of ours order
# atomic operations only.
HARDEN += $(if $(findstring clang,$(CC)),,-Wno-tsan)
else ifdef COV
B := build/cov
CFLAGS = -O1 -g
HARDEN := --coverage -Wno-maybe-uninitialized
else
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
endif
# Objects serve programs and the shared library alike.
CFLAGS_ALL = -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) -fPIC -fno-semantic-interposition -pthread
LDFLAGS_ALL = $(LDFLAGS) $(filter -fsanitize% -fno-sanitize% --coverage,$(HARDEN)) -pthread

PACKAGES := libxdp libbpf libmnl jansson libelf zlib
LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES))
LIBS_DAEMON = $(shell $(PKG_CONFIG) --libs inih)
LIBS_TEST = $(shell $(PKG_CONFIG) --libs cmocka) $(LIBS_DAEMON) -lm

# --- what there is ----------------------------------------------------------------------------
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
with_main = $(if $(wildcard $(1)),$(shell grep -l '^int main.' $(wildcard $(1)) /dev/null))

BASE_SYSTEM := user/base/assert.c user/base/log.c
SRC_ENGINE := $(filter-out $(BASE_SYSTEM),$(wildcard user/base/*.c)) $(wildcard user/wire/*.c user/engine/*.c)
SRC_LIB := $(SRC_ENGINE) $(wildcard $(BASE_SYSTEM)) \
	$(wildcard user/drv/*.c user/xdp/*.c user/worker/*.c user/channel/*.c user/lib/*.c)
SRC_CLI := $(wildcard user/cli/*.c)
MAIN_CLI := $(call with_main,user/cli/*.c)
MAIN_DAEMON := $(call with_main,user/daemon/*.c)
SRC_DAEMON := $(filter-out $(MAIN_DAEMON),$(wildcard user/daemon/*.c))
SRC_EXAMPLES := $(wildcard examples/*.c)
SRC_UNIT := $(wildcard tests/unit/test_*.c tests/bpf/test_*.c)
SRC_SIM := $(wildcard tests/sim/*.c)
SRC_SCRIPT := $(wildcard tests/script/*.c)
MAIN_SIM := $(call with_main,tests/sim/*.c)
MAIN_TOOLS := $(call with_main,tests/tools/*.c)
MAIN_BENCH := $(call with_main,tests/bench/*.c)
# Parts that test programs share: in an archive, so that each takes what it uses.
SRC_PARTS := $(filter-out $(MAIN_CLI),$(SRC_CLI)) \
	$(filter-out $(MAIN_TOOLS),$(wildcard tests/tools/*.c)) $(filter-out $(MAIN_BENCH),$(wildcard tests/bench/*.c)) \
	$(filter-out $(MAIN_SIM),$(SRC_SIM)) $(filter-out $(SRC_UNIT),$(wildcard tests/unit/*.c tests/bpf/*.c))
SRC_BPF := $(wildcard bpf/*.bpf.c)
SRC_ALL := $(sort $(SRC_LIB) $(SRC_CLI) $(SRC_DAEMON) $(MAIN_DAEMON) $(SRC_EXAMPLES) $(SRC_UNIT) $(SRC_SIM) $(SRC_SCRIPT) $(SRC_PARTS) $(MAIN_TOOLS) $(MAIN_BENCH))

LIB_ENGINE := $(B)/lib/libxlane-engine.a
LIB_STATIC := $(B)/lib/libxlane.a
LIB_SHARED := $(B)/lib/libxlane.so
LIB_DAEMON := $(B)/lib/libxlane-daemon.a
LIB_PARTS := $(B)/lib/libxlane-tests.a
BPF_OBJECTS := $(SRC_BPF:bpf/%.bpf.c=$(B)/bpf/%.bpf.o) $(if $(SRC_BPF),$(B)/bpf/xlane_demux_linear.bpf.o)
XLANE := $(if $(MAIN_CLI),$(B)/bin/xlane)
XLANED := $(if $(MAIN_DAEMON),$(B)/bin/xlaned)
EXAMPLES := $(SRC_EXAMPLES:examples/%.c=$(B)/examples/%)
# The thread sanitizer is for what has threads: the daemon, its channels, and what they stand on.
TSAN_TESTS := $(wildcard tests/unit/test_spsc.c tests/unit/test_channel*.c tests/unit/test_ring*.c tests/unit/test_ports.c \
	tests/unit/test_handover.c tests/unit/test_inbox.c tests/unit/test_thread.c tests/unit/test_torn.c tests/unit/test_helped.c \
	tests/unit/test_guest.c tests/unit/test_remote*.c tests/unit/test_daemon_*.c)
UNIT_TESTS := $(addprefix $(B)/tests/,$(notdir $(patsubst %.c,%,$(if $(and $(TSAN),$(if $(ALL),,some)),$(TSAN_TESTS),$(SRC_UNIT)))))
SIM := $(if $(MAIN_SIM),$(B)/xlane-sim)
SCRIPT := $(B)/xlane-script
TOOLS := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(MAIN_TOOLS))
MAN_PAGES := $(patsubst docs/man/%.scd,build/man/%,$(wildcard docs/man/*.scd))
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(MAIN_BENCH))

# --- targets ----------------------------------------------------------------------------------
.PHONY: all bpf tools unit bench-programs bench sim scenarios matrix pictures scripts coverage demo check vm deps install uninstall clean help
all: $(LIB_ENGINE) $(LIB_STATIC) $(LIB_SHARED) $(XLANE) $(XLANED) $(EXAMPLES) bpf ## build the library, the daemon, the tools, the BPF program and the examples
bpf: $(BPF_OBJECTS)
tools: $(TOOLS)
unit: $(UNIT_TESTS)
bench-programs: $(BENCHES)

JOBS := $(shell nproc)
submake = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

deps: ## install the packages that are missing (root, Debian)
	@tests/tools/deps.sh

# A second make, since the first has looked for libraries before they were installed.
demo: deps ## two hosts and a lossy link: files and messages moved and proved (root; FILE= LOSS= REORDER= DUP= CORRUPT= MTU= SEED=)
	+@$(submake) all tools
	@FILE='$(FILE)' LOSS='$(LOSS)' REORDER='$(REORDER)' DUP='$(DUP)' CORRUPT='$(CORRUPT)' MTU='$(MTU)' SEED='$(SEED)' \
		tests/tools/demo.sh

check: deps ## every test; ends with "N passed, N failed, N skipped" (root for the network tests)
	+@$(submake) all tools unit bench-programs $(SIM) $(SCRIPT)
	+@$(submake) SAN=1 unit tools $(if $(SIM),build/san/xlane-sim) build/san/xlane-script $(if $(XLANED),build/san/bin/xlaned)
	+@$(submake) TSAN=1 unit $(if $(XLANED),build/tsan/bin/xlaned)
	@tests/run $(TESTS)

vm: ## tests on other kernels, in virtual machines (root; KERNELS="linux-image-cloud-amd64 ..." TESTS= ACCEL=tcg CPUS=2)
	@tests/tools/deps.sh vm
	+@$(submake) all tools unit
	@tests/vm/run.sh $(TESTS)

bench: deps ## round trips and frame rates of xlane beside bare AF_XDP rings and kernel TCP (root, two idle cores)
	+@$(submake) all bench-programs
	tests/bench/raw.sh
	tests/bench/echo_vs_raw.sh
	tests/bench/echo_daemon_vs_tcp.sh

SEEDS ?= 20000
FIRST ?= 1
sim: $(SIM) ## the simulator (SEEDS=20000 FIRST=1)
	$(SIM) --seeds $(SEEDS) --first $(FIRST) --jobs $(JOBS)

scenarios: $(SIM) ## the scenarios of docs/SCENARIOS.md that have bounds: fairness, incast, requests beside bulk
	$(SIM) --scenarios

matrix: $(SIM) ## cases of trouble times seeds, in virtual time (SEEDS=50)
	$(SIM) --matrix --seeds $(if $(filter command% environment%,$(origin SEEDS)),$(SEEDS),50) --jobs $(JOBS)

pictures: $(SIM) ## draw the pictures of docs/SCENARIOS.md anew (gnuplot-nox)
	@mkdir -p docs/pictures
	@for name in $$($(SIM) --list-scenarios | cut -d' ' -f1); do \
		$(SIM) --scenario $$name --plot docs/pictures/$$name.svg; [ $$? != 2 ] || exit 2; done

sanitize: deps ## all unit tests and SEEDS=500 seeds with the address, undefined behaviour and thread sanitizers
	+@$(submake) SAN=1 unit build/san/xlane-sim
	+@$(submake) TSAN=1 ALL=1 unit build/tsan/xlane-sim
	@tests/sanitize.sh $(if $(filter command% environment%,$(origin SEEDS)),$(SEEDS))

coverage: ## branch coverage of engine and wire by unit tests, scripts and the simulator (SEEDS=500); build/coverage/
	@tests/tools/deps.sh coverage
	+@$(submake) COV=1 unit build/cov/xlane-sim build/cov/xlane-script
	@tests/coverage.sh $(if $(filter command% environment%,$(origin SEEDS)),$(SEEDS))

scripts: $(SCRIPT) ## the scripts of tests/script, one for each rule of docs/PROTOCOL.md at least (FILES=)
	$(SCRIPT) $(FILES)

man: $(MAN_PAGES) ## the man pages, in build/man (scdoc)

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12
	@echo 'Variables: SAN=1 (address and undefined behaviour sanitizers, in build/san), TSAN=1 (thread sanitizer, in build/tsan), CC, CFLAGS, PREFIX, DESTDIR.'

install: all $(if $(shell command -v scdoc),man) ## install under PREFIX (/usr/local), staged in DESTDIR
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(BPFDIR) $(INCLUDEDIR)/xlane)
	$(if $(XLANE),install -m 755 $(XLANE) $(DESTDIR)$(BINDIR)/)
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(SHAREDIR) $(UNITDIR) $(COMPLETIONDIR))
	$(if $(XLANED),install -m 755 $(XLANED) $(DESTDIR)$(SBINDIR)/)
	install -m 644 user/daemon/xlaned.conf.sample $(DESTDIR)$(SHAREDIR)/
	sed 's|@SBINDIR@|$(SBINDIR)|' user/daemon/xlaned.service.in > $(DESTDIR)$(UNITDIR)/xlaned.service
	chmod 644 $(DESTDIR)$(UNITDIR)/xlaned.service
	$(if $(wildcard user/cli/xlane.bash),install -m 644 user/cli/xlane.bash $(DESTDIR)$(COMPLETIONDIR)/xlane)
	ln -sf xlane $(DESTDIR)$(COMPLETIONDIR)/xlaned
	install -m 644 $(LIB_STATIC) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(LIB_SHARED) $(DESTDIR)$(LIBDIR)/libxlane.so.$(API_VERSION)
	ln -sf libxlane.so.$(API_VERSION) $(DESTDIR)$(LIBDIR)/libxlane.so
	install -m 644 $(BPF_OBJECTS) $(DESTDIR)$(BPFDIR)/
	install -m 644 include/xlane/*.h $(DESTDIR)$(INCLUDEDIR)/xlane/
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' 'Name: xlane' \
		'Description: reliable transport directly over Ethernet, on AF_XDP and eBPF' 'Version: $(API_VERSION)' \
		'Requires.private: $(PACKAGES)' 'Libs: -L$${libdir} -lxlane' 'Libs.private: -pthread' \
		'Cflags: -I$${includedir}' > $(DESTDIR)$(LIBDIR)/pkgconfig/xlane.pc
	for page in $(if $(shell command -v scdoc),$(MAN_PAGES)); do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; done
	$(if $(DESTDIR),,-ldconfig 2>/dev/null)

uninstall: ## remove what install has put there
	rm -f $(DESTDIR)$(BINDIR)/xlane $(DESTDIR)$(LIBDIR)/libxlane.a $(DESTDIR)$(LIBDIR)/libxlane.so \
		$(DESTDIR)$(LIBDIR)/libxlane.so.$(API_VERSION) $(DESTDIR)$(LIBDIR)/pkgconfig/xlane.pc
	rm -f $(DESTDIR)$(SBINDIR)/xlaned $(DESTDIR)$(UNITDIR)/xlaned.service $(addprefix $(DESTDIR)$(COMPLETIONDIR)/,xlane xlaned)
	rm -rf $(DESTDIR)$(SHAREDIR)
	rm -f $(addprefix $(DESTDIR)$(BPFDIR)/,$(notdir $(BPF_OBJECTS)))
	for page in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -rf $(DESTDIR)$(INCLUDEDIR)/xlane
	-rmdir $(DESTDIR)$(BPFDIR) 2>/dev/null

# --- how it is built --------------------------------------------------------------------------
# Files that change only when what they hold changes: what depends on flags is built again with other flags.
stamp = $(shell mkdir -p $(B); printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(B)/$(1) || \
	printf '%s\n' '$(subst ','\'',$(2))' > $(B)/$(1))
ifneq ($(filter-out clean help deps uninstall demo check vm bench,$(or $(MAKECMDGOALS),all)),)
$(call stamp,flags,$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL))
$(call stamp,places,$(BPFDIR))
$(call stamp,files,$(SRC_ALL))
endif

say = @printf '  %-4s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)'

build/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	@scdoc < $< > $@.new && mv $@.new $@

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS_FILE) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(B)/obj/user/xdp/loader.o: $(B)/places
$(B)/obj/user/xdp/loader.o: CPPFLAGS_FILE = -DXLANE_BPF_DIR='"$(BPFDIR)"'
$(B)/flags $(B)/places $(B)/files: ;

# Two members may have one name (conn.o of the engine and of the library): appended, never replaced.
define archive
	$(call say,AR)
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) qcs $@ $(filter %.o,$^)
endef
define link
	$(call say,LD)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o %.a,$^) $(LIBS_TARGET) $(LIBS)
endef

$(LIB_ENGINE): $(call objects,$(SRC_ENGINE)) $(B)/files
	$(archive)
$(LIB_STATIC): $(call objects,$(SRC_LIB)) $(B)/files
	$(archive)
$(LIB_DAEMON): $(call objects,$(SRC_DAEMON)) $(B)/files
	$(archive)
$(LIB_PARTS): $(call objects,$(SRC_PARTS)) $(B)/files
	$(archive)
$(LIB_SHARED): $(call objects,$(SRC_LIB)) user/lib/libxlane.map $(B)/files
	$(call say,LD)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -shared -Wl,-soname,libxlane.so.$(API_VERSION) -Wl,--version-script=user/lib/libxlane.map \
		$(if $(SAN),,-Wl,-z,defs) -o $@ $(filter %.o,$^) $(LIBS)

$(B)/bin/xlane: $(call objects,$(SRC_CLI)) $(LIB_STATIC)
	$(link)
$(B)/bin/xlaned: LIBS_TARGET = $(LIBS_DAEMON)
$(B)/bin/xlaned: $(call objects,$(MAIN_DAEMON)) $(LIB_DAEMON) $(LIB_STATIC)
	$(link)
$(EXAMPLES): $(B)/examples/%: $(B)/obj/examples/%.o $(LIB_STATIC)
	$(link)
$(B)/xlane-sim: $(call objects,$(SRC_SIM)) $(LIB_STATIC)
	$(link)
$(B)/xlane-script: $(call objects,$(SRC_SCRIPT)) $(LIB_STATIC)
	$(link)
$(TOOLS): LIBS_TARGET = $(LIBS_DAEMON)
$(TOOLS): $(B)/tests/tools/%: $(B)/obj/tests/tools/%.o $(LIB_PARTS) $(LIB_DAEMON) $(LIB_STATIC)
	$(link)
$(BENCHES): $(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(LIB_PARTS) $(LIB_STATIC)
	$(link)
$(UNIT_TESTS): LIBS_TARGET = $(LIBS_TEST)
$(filter $(B)/tests/%,$(patsubst tests/unit/%.c,$(B)/tests/%,$(SRC_UNIT))): $(B)/tests/%: $(B)/obj/tests/unit/%.o $(LIB_PARTS) $(LIB_DAEMON) $(LIB_STATIC)
	$(link)
$(filter $(B)/tests/%,$(patsubst tests/bpf/%.c,$(B)/tests/%,$(SRC_UNIT))): $(B)/tests/%: $(B)/obj/tests/bpf/%.o $(LIB_PARTS) $(LIB_STATIC)
	$(link)

# Debian keeps <asm/...> in a directory of the architecture, where clang for another target does not look.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_FLAGS := -target bpf -std=gnu11 -O2 -g $(WARN) -Iinclude $(addprefix -I,$(wildcard /usr/include/$(MULTIARCH)/asm/..))
# DWARF is dropped, BTF stays.
define build_bpf
	$(call say,BPF)
	@mkdir -p $(@D)
	@$(CLANG) $(BPF_FLAGS) $(1) -MMD -MP -MT $@ -c -o $@ $<
	@if command -v $(STRIP_BPF) >/dev/null; then $(STRIP_BPF) -g $@; fi
endef
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call build_bpf,)
$(B)/bpf/%_linear.bpf.o: bpf/%.bpf.c
	$(call build_bpf,-DXLANE_DEMUX_LINEAR)

-include $(patsubst %.o,%.d,$(call objects,$(SRC_ALL))) $(BPF_OBJECTS:.o=.d)
