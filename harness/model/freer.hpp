#pragma once

namespace assay {

/// Deleter of a unique_ptr for objects that a C library frees by a function of its own, such as EVP_PKEY_free.
template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};

}  // namespace assay
