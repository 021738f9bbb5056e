// An archive that goes to the standard output.
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;

namespace {

using support::holds;

struct Setting {
  support::Scratch scratch;
  packer::BuildSummary built = packer::build_pack(support::small_sources(scratch.path()));
  std::string id = built.id.hex();
  fs::path pack = built.location;
  // In a shell, where $P is the program and $D the pack.
  [[nodiscard]] Finished shell(const std::string& script) const {
    return support::run_process({"bash", "-c",
                                 "P=" + support::quoted(SAFE_BIN "/safe-packer") +
                                     " D=" + support::quoted(pack.string()) + "; set -o pipefail; " + script},
                                scratch.path());
  }
};

}  // namespace

TEST_CASE("archive -o - writes the archive and nothing else, in the form that is asked for") {
  const Setting setting;
  REQUIRE(setting.shell("$P archive $D -o x.tar && $P archive $D -o - > y.tar").code == 0);
  CHECK(support::get(setting.scratch / "x.tar") == support::get(setting.scratch / "y.tar"));
  for (const char* form : {"tar", "tar.zst", "tgz"}) {
    CAPTURE(form);
    const std::string flags = std::string(" -o - --format ") + form;
    CHECK(setting.shell("$P archive $D" + flags + " | $P verify -").out == setting.id + "  -\n");
    const Finished there =
        setting.shell("$P archive $D --json" + flags + " | $P extract - --dest there && $P diff $D there");
    CHECK_MESSAGE(there.code == 0, there.err);
    fs::remove_all(setting.scratch / "there");
  }
  const Finished said = setting.shell("$P archive $D -o - | cat >/dev/null");
  CHECK(said.out.empty());
  CHECK(holds(said.err, setting.id + "  -\n"));
  CHECK(setting.shell("$P archive $D --quiet -o - | cat >/dev/null").err.empty());
}

TEST_CASE("a reader that goes away, a full disk and a terminal end archive -o - with a sentence and no id") {
  const Setting setting;
  // A pipe whose only reader has closed it before the first byte: what is small would else fit into the pipe.
  const Finished gone =
      setting.shell("mkfifo f; exec 3<>f 4>f 3>&-; $P archive $D -o - >&4; echo code $? >&2");
  CHECK_MESSAGE(holds(gone.err, "cannot write the standard output: Broken pipe"), gone.err);
  CHECK(holds(gone.err, "code 3"));
  CHECK_FALSE(holds(gone.err, setting.id));
  const Finished full = setting.shell("$P archive $D -o - > /dev/full");
  CHECK(full.code == 3);
  CHECK(holds(full.err, "No space left"));
  CHECK_FALSE(holds(full.err, setting.id));
  const Finished named = setting.shell("$P archive $D -o x.tar --format tar");
  CHECK(named.code == 2);
  CHECK_FALSE(fs::exists(setting.scratch / "x.tar"));
  if (support::run_process({"script", "--version"}).code == 0) {
    const Finished terminal = setting.shell("script -qec \"$P archive $D -o -\" /dev/null");
    CHECK(terminal.code == 2);
    CHECK(holds(terminal.out, "is not written to a terminal"));
  }
}

TEST_CASE("what archive -o - wrote of a pack that turns out damaged is refused by who reads it") {
  const Setting setting;
  support::put(setting.pack / "images" / support::image_name(1),
               std::string(fs::file_size(setting.pack / "images" / support::image_name(1)), 'x'));
  const Finished damaged = setting.shell("$P archive $D -o - | $P verify -");
  CHECK(damaged.code == 1);
  CHECK(damaged.out.find(setting.id) == std::string::npos);
}
