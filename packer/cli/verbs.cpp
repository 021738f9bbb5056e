#include "packer/cli/verbs.hpp"

#include "packer/cli/commands.hpp"

namespace packer {

common::Program safe_packer() {
  common::Program program("safe-packer",
                          "Build, verify, archive, repair and sign packs: data sets of which every byte is "
                          "listed with its digest.");
  for (const auto add : {add_build, add_archive, add_extract, add_verify, add_list, add_show, add_diff,
                         add_leaks, add_repair, add_sign, add_keygen, add_export, add_synthesize})
    add(program);
  return program;
}

}  // namespace packer
