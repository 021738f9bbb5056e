#include "packer/cli/commands.hpp"

#include "common/cli/print_json.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"

namespace packer {

void add_trust_flags(common::Verb& verb, TrustFlags& flags) {
  verb.pack_id("--expect,--pack-id", flags.expected_id, "Refuse any pack but the one with this id");
  verb.path("--trust,--require-signature", flags.trusted_key,
            "Refuse a pack that the owner of this public key (KEY.pub.pem) did not sign; checked first");
}

std::string TrustFlags::who_signed() const {
  if (!expected_id && !trusted_key)
    return "; neither its id nor a signature was checked (--expect ID, --trust KEY.pub.pem)";
  return std::string(expected_id ? ", the expected pack" : "") +
         (trusted_key ? ", signed by the owner of " + trusted_key->string() : "");
}

void print_pack(const common::CommonFlags& flags, const common::Digest& id, const std::string& path) {
  if (flags.json)
    common::print_json({{"id", id.hex()}, {"path", path}}, common::JsonLayout::line);
  else
    common::print_line(stdout, id.hex() + "  " + path);
}

void print_path(const common::CommonFlags& flags, const std::string& path) {
  if (flags.json)
    common::print_json({{"path", path}}, common::JsonLayout::line);
  else
    common::print_line(stdout, path);
}

}  // namespace packer
