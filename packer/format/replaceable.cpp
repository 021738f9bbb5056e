#include "packer/format/replaceable.hpp"

#include "packer/format/names.hpp"

namespace packer {
namespace {

bool may_stand_in_a_pack(const std::string& name) {
  return name == common::k_seal_name || name == common::k_signature_name || role_of(name) ||
         is_media_folder(name);
}

std::string why_not(const common::Folder& there) {
  if (!there.has_file(std::string(common::k_seal_name)) && !there.has_file(std::string(k_info_name)))
    return "it is neither empty nor a pack";
  for (const common::Entry& entry : there.walk(1))
    if (!may_stand_in_a_pack(entry.path))
      return "it holds \"" + common::escape_for_terminal(entry.path) + "\", which is not part of a pack";
  return "";
}

}  // namespace

common::Replaceable pack_replaceable() { return why_not; }

}  // namespace packer
