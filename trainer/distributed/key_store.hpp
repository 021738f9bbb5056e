// A few short texts that all processes of a run see, kept by one of them: c10d's TCPStore. Every call may
// block while that one does not answer, and throws std::exception where it is gone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "trainer/distributed/world.hpp"

namespace trainer {

enum class StoreSide { serve, connect };

class KeyStore {
 public:
  // serve: listens at world.port; an io error where that is taken. connect: waits `patience` for who listens.
  KeyStore(const World& world, StoreSide side, std::chrono::seconds patience);
  ~KeyStore();
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  void set(const std::string& key, const std::string& value);
  // Sets it where nobody has; else leaves it. What is there afterwards, in either case.
  std::string claim(const std::string& key, const std::string& value);
  [[nodiscard]] std::optional<std::string> find(const std::string& key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace trainer
