#include "tokenizer/spm-shim.h"

#include <exception>
#include <string>
#include <vector>

#include <sentencepiece_processor.h>

struct FacetSpm {
  sentencepiece::SentencePieceProcessor processor;
};

FacetSpm *
facet_spm_new (const guint8 *proto, gsize length, char **message)
{
  auto *spm = new FacetSpm;

  try {
    const auto status
        = spm->processor.LoadFromSerializedProto (absl::string_view (reinterpret_cast<const char *> (proto), length));

    if (status.ok ())
      return spm;
    *message = g_strdup (status.error_message ());
  } catch (const std::exception &exception) {
    *message = g_strdup (exception.what ());
  }
  delete spm;
  return nullptr;
}

void
facet_spm_free (FacetSpm *spm)
{
  delete spm;
}

void
facet_spm_encode (FacetSpm *spm, const char *text, gsize length, GArray *ids)
{
  const std::vector<int> found = spm->processor.EncodeAsIds (absl::string_view (text, length));

  for (const int id : found) {
    const gint32 value = id;

    g_array_append_val (ids, value);
  }
}
