#include "trainer/base/base_folder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/sealed/inventory.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_record_limit_bytes = 1 << 20;
constexpr std::array<std::string_view, 13> k_entries = {"vl",
                                                        "vl/config.json",
                                                        "vl/model.safetensors",
                                                        "vl/preprocessor_config.json",
                                                        "audio",
                                                        "audio/config.json",
                                                        "audio/model.safetensors",
                                                        "audio/preprocessor_config.json",
                                                        "vl/tokenizer.json",
                                                        "vl/tokenizer_config.json",
                                                        k_base_record_name,
                                                        common::k_seal_name,
                                                        common::k_signature_name};
const common::SealForm k_form = {{k_base_record_name}};

bool may_stand_in_a_base(const common::Entry& entry) {
  return std::find(k_entries.begin(), k_entries.end(), entry.path) != k_entries.end();
}

std::string why_not(const common::Folder& there) {
  if (!there.has_file(k_base_record_name) && !there.has_file(std::string(common::k_seal_name)))
    return "it is neither empty nor a base of ours (no base.json)";
  for (const common::Entry& entry : there.walk())
    if (!may_stand_in_a_base(entry))
      return "it holds \"" + common::escape_for_terminal(entry.path) + "\", which is no part of a base";
  return "";
}

}  // namespace

common::Replaceable base_replaceable() { return why_not; }

std::optional<common::Json> read_base_record(const std::filesystem::path& base, unsigned threads) {
  if (!std::filesystem::is_directory(base)) return std::nullopt;
  const common::Folder folder = common::Folder::open(base);
  common::Findings findings;
  const common::SealBytes seal = common::read_seal(folder, findings);
  if (!seal.seal || !common::check_sealed_folder(folder, *seal.seal, k_form, threads).findings.empty())
    return std::nullopt;
  return common::parse_json(folder.read_text(k_base_record_name, k_record_limit_bytes),
                            folder.path_of(k_base_record_name).string());
}

void put_model(common::Draft& draft, const std::string& folder, const ModelFiles& files) {
  for (const auto& [name, bytes] : files) {
    const common::PackPath path(folder + "/" + name);
    ENSURE(may_stand_in_a_base({path.text(), common::EntryKind::file, 0}));
    draft.make_folder_for(path.text());
    draft.put(path, bytes, common::digest_of(bytes));
  }
}

void publish_base(common::Draft& draft, const common::Json& record) {
  draft.folder().write(k_base_record_name, common::dump_pretty(record));
  (void)common::seal_folder(draft.folder(), k_form);
  draft.publish();
}

}  // namespace trainer
