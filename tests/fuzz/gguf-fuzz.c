/* The GGUF reader, what it says of a file, and the family's loader. */
#include "facet.h"

#include "gguf/gguf.h"
#include "models/family.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (data, size, "fuzz", &error);
  const FacetFamilyClass *family;
  FacetDecoder *decoder;
  gsize n;

  if (gguf == NULL)
    return 0;
  for (gsize i = 0; i < facet_gguf_n_tensors (gguf); i++) {
    const FacetTensor *tensor = facet_gguf_tensor_at (gguf, i);
    const guint8 *bytes = tensor->data;

    g_assert (bytes >= data && bytes + tensor->bytes <= data + size);
  }
  facet_gguf_array_data (gguf, "tokenizer.ggml.scores", 6, &n);
  family = facet_family_for (gguf, NULL);
  decoder = family != NULL ? family->load (gguf, NULL) : NULL;
  if (decoder != NULL)
    decoder->free (decoder);
  return 0;
}
