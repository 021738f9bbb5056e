#include "trainer/formats/preprocessor.hpp"

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_limit_bytes = 1 << 20;
constexpr const char *k_own_name = "preprocessor_config.json", *k_shared_name = "processor_config.json";

}  // namespace

Preprocessor read_preprocessor(const ModelFolder& folder, const std::string& member) {
  if (folder.has(k_own_name))
    return {folder.read_json(k_own_name, k_limit_bytes), folder.path_of(k_own_name).string()};
  const std::string shared = folder.path_of(k_shared_name).string();
  const std::string missing = folder.path().string() + " has no " + k_own_name + ", and ";
  const char* remedy = "; copy the file from where the model was published";
  if (!folder.has(k_shared_name))
    throw common::Error(common::ErrorKind::io, missing + "no " + k_shared_name + " either" + remedy);
  common::Json config = folder.read_json(k_shared_name, k_limit_bytes);
  const auto found = config.is_object() ? config.find(member) : config.end();
  if (found == config.end() || !found->is_object())
    throw common::Error(common::ErrorKind::io, missing + shared + " no " + member + remedy);
  common::Json part = std::move(*found);
  return {std::move(part), shared + ": " + member};
}

}  // namespace trainer
