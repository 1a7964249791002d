# Makefile -- the door to the project; CMake does the work, in build/.  `make help` lists the targets.
MAKEFLAGS += --no-print-directory
PREFIX ?= /usr/local
BUILD = build
BUILDING = cmake --build $(BUILD) -j $$(nproc)

all: $(BUILD)/Makefile   ## build/spnc and build/spn-data (the default)
	@$(BUILDING) --target spnc spn-data

# What building needs is there already or is installed now; a tree that is configured has passed this once.
$(BUILD)/Makefile:
	@.ci/deps.sh build
	@cmake -S . -B $(BUILD) >/dev/null

deps:                          ## install what is missing (Debian: apt as root or with sudo), or say what to install
	@.ci/deps.sh all

demo: deps all                 ## a recurrent spatial transformer learns to read, in five minutes: demo/glimpses.png
	@.ci/demo.sh

test: deps                     ## every test, about ten minutes; tests that need more than the tools of `make deps`: test-oracle
	@.ci/test.sh

test-oracle: deps all          ## all arrays of the generated programs against a second implementation in PyTorch, which is installed if need be
	@.ci/test.sh oracle

bench: all                     ## milliseconds a training step of the nine nets of Table 1: build/bench/step_times.md
	@python3 bench/harness/step_times.py --ours

bench-peers: all               ## the same beside PyTorch, interleaved, in an environment of its own (a 1 GB download)
	@bench/harness/make_env.sh
	@python3 bench/harness/step_times.py

bench-twins: all               ## resnet20, depthwise, unet, a DCGAN's decoder and an MLP beside PyTorch, interleaved: twins.md beside the others (a 1 GB download)
	@bench/harness/make_env.sh
	@python3 bench/harness/step_times.py --twins

bench-recurrent: all           ## GRUs and an LSTM beside PyTorch and beside the bound of their arithmetic: recurrent.md (a 1 GB download)
	@bench/harness/make_env.sh
	@python3 bench/harness/step_times.py --recurrent

bench-inference: all           ## libraries of --for inference beside onnxruntime, AOTInductor and emx-onnx-cgen, one thread, calls in turn (a 1 GB download)
	@bench/harness/make_env.sh --onnx
	@build/bench-env/bin/python bench/harness/inference.py --rows models --batch 1,32 --publish

# ROWS="rnn_spn-d3 conv beyond-schedule" RUNS=folder SEED=n SET="key=value ..." EPOCHS=n THREADS=n CHOOSE=key=a,b,c; python3 bench/table1/table1.py --help says more.
option = $(if $($2),--$1 "$($2)")
table1_options = $(strip $(call option,rows,ROWS) $(call option,runs,RUNS) $(call option,seed,SEED) $(call option,set,SET) \
    $(call option,epochs,EPOCHS) $(call option,threads,THREADS) $(call option,choose,CHOOSE))
table1: deps all               ## Table 1 of the paper, trained anew: docs/table1.md; hours, resumed by the same command (needs SPN_MNIST)
	@python3 bench/table1/table1.py $(table1_options)

table1-docs:                   ## docs/table1.md of what the runs in RUNS= hold so far
	@python3 bench/table1/table1.py --docs $(if $(RUNS),--runs "$(RUNS)")

gallery: all                   ## docs/gallery.md: the small nets of models/, trained (MODELS="unet vae": these; needs SPN_MNIST; an hour)
	@[ -x $(BUILD)/gallery-env/bin/python ] || { python3 -m venv $(BUILD)/gallery-env && $(BUILD)/gallery-env/bin/pip install --quiet numpy scikit-learn pillow; }
	@$(BUILD)/gallery-env/bin/python bench/gallery/gallery.py $(MODELS)

golden: all                    ## write the expected C, the dumps, docs/errors.md and the schema anew; then read the diff
	@.ci/golden.sh

asan: deps                     ## the tests under the address and undefined-behaviour sanitizers, in build/asan
	@.ci/test.sh asan

fuzz: all                      ## libFuzzer on the compiler for SECONDS (60), in build/fuzz; needs clang
	@tests/fuzz.sh $(or $(SECONDS),60)

install: all                   ## to PREFIX (/usr/local): both programs, man pages, completion for bash and zsh, a CMake package; DESTDIR= for packagers
	@$(BUILDING) --target manuals
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

clean:                         ## remove build/ and demo/
	rm -rf $(BUILD) demo

help:                          ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## */\1	/p' Makefile | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: all deps demo test test-oracle bench bench-peers bench-twins bench-recurrent bench-inference table1 table1-docs gallery golden asan fuzz install clean help
