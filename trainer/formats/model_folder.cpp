#include "trainer/formats/model_folder.hpp"

#include "common/error.hpp"
#include "common/sealed/folder.hpp"
#include "trainer/formats/find_model.hpp"

namespace trainer {

struct ModelFolder::State {
  common::Folder folder;
  std::map<std::string, common::Digest> read;
};

ModelFolder::ModelFolder(const std::filesystem::path& folder)
    : state_(std::make_unique<State>(State{common::Folder::open(folder), {}})) {}
ModelFolder::~ModelFolder() = default;
ModelFolder::ModelFolder(ModelFolder&&) noexcept = default;
ModelFolder& ModelFolder::operator=(ModelFolder&&) noexcept = default;

const std::filesystem::path& ModelFolder::path() const { return state_->folder.path(); }

bool ModelFolder::has(const std::string& name) const { return state_->folder.look(name).has_value(); }

std::string ModelFolder::read_text(const std::string& name, std::uint64_t limit_bytes) const {
  const common::Bytes bytes = common::read_file(open(name), path_of(name), limit_bytes);
  std::string text(common::text_of(bytes));
  note(name, common::digest_of(text));
  return text;
}

common::Json ModelFolder::read_json(const std::string& name, std::uint64_t limit_bytes) const {
  return common::parse_json(read_text(name, limit_bytes), path_of(name).string());
}

common::File ModelFolder::open(const std::string& name) const {
  if (!has(name))
    throw common::Error(common::ErrorKind::io, path_of(name).string() + " is not there; " + advice());
  return state_->folder.open_linked(name);
}

std::string ModelFolder::advice() const {
  const std::string id = hub_id_of(path());
  return id.empty() ? "download it from where the model was published"
                    : "download the rest:\n  hf download " + id;
}

void ModelFolder::note(const std::string& name, const common::Digest& digest) const {
  const auto [at, fresh] = state_->read.emplace(name, digest);
  if (!fresh && at->second != digest)
    throw common::Error(common::ErrorKind::mismatch,
                        path_of(name).string() + " was changed while the model was loaded; try again");
}

common::Digest ModelFolder::digest() const {
  common::Hasher hasher;
  for (const auto& [name, digest] : state_->read)
    hasher.update(common::view_of(digest.hex() + "  " + name + "\n"));
  return hasher.finish();
}

}  // namespace trainer
