#include "trainer/model/disk_tensors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <vector>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_in_memory_bytes = 1 << 16, k_page_bytes = 1 << 12;

}  // namespace

struct DiskTensors::State {
  std::filesystem::path folder;
  std::mutex mutex;
  int file = -1;
  std::uint64_t bytes = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (file >= 0) ::close(file);
  }

  void open() {
    if (file >= 0) return;
    std::error_code ignored;  // the open says what is wrong
    std::filesystem::create_directories(folder, ignored);
    file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) return;
    // Some file systems know no file without a name.
    std::string name = (folder / ".features-XXXXXX").string();
    file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) common::throw_errno("cannot make a file for features in " + folder.string());
    ::unlink(name.c_str());
  }

  // Where in the file `size` bytes may be written.
  std::uint64_t reserve(std::size_t size) {
    const std::lock_guard lock(mutex);
    open();
    const std::uint64_t at = bytes;
    bytes += (size + k_page_bytes - 1) / k_page_bytes * k_page_bytes;
    return at;
  }

  void write(const void* data, std::size_t size, std::uint64_t at) const {
    const auto* from = static_cast<const char*>(data);
    for (std::size_t done = 0; done < size;) {
      const ssize_t wrote = ::pwrite(file, from + done, size - done, static_cast<off_t>(at + done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) common::throw_errno("cannot write features to a file in " + folder.string());
      done += static_cast<std::size_t>(wrote);
    }
  }
};

DiskTensors::DiskTensors() : state_(std::make_shared<State>()) {}

DiskTensors::DiskTensors(const std::filesystem::path& folder) : DiskTensors() { state_->folder = folder; }

torch::Tensor DiskTensors::keep(const torch::Tensor& tensor) const {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
  const std::size_t size = plain.nbytes();
  // A copy: the tensor may be a part of something larger.
  if (state_->folder.empty() || size <= k_in_memory_bytes) return plain.clone();
  const std::uint64_t at = state_->reserve(size);
  state_->write(plain.data_ptr(), size, at);
  // Private: whoever writes into the tensor changes its own copy of a page.
  void* mapped =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, state_->file, static_cast<off_t>(at));
  if (mapped == MAP_FAILED) common::throw_errno("cannot map features from " + state_->folder.string());
  return torch::from_blob(
      mapped, plain.sizes(), [size](void* memory) { ::munmap(memory, size); }, plain.options());
}

std::uint64_t DiskTensors::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes;
}

}  // namespace trainer
