#include "gguf/dtype.h"

static const FacetDtypeInfo supported[FACET_DTYPE_COUNT] = {
  [FACET_F32]    = { "F32", 1, 4 },
  [FACET_F16]    = { "F16", 1, 2 },
  [FACET_BF16]   = { "BF16", 1, 2 },
  [FACET_Q4_0]   = { "Q4_0", 32, 18 },
  [FACET_Q4_1]   = { "Q4_1", 32, 20 },
  [FACET_Q5_0]   = { "Q5_0", 32, 22 },
  [FACET_Q5_1]   = { "Q5_1", 32, 24 },
  [FACET_Q8_0]   = { "Q8_0", 32, 34 },
  [FACET_Q2_K]   = { "Q2_K", 256, 84 },
  [FACET_Q3_K]   = { "Q3_K", 256, 110 },
  [FACET_Q4_K]   = { "Q4_K", 256, 144 },
  [FACET_Q5_K]   = { "Q5_K", 256, 176 },
  [FACET_Q6_K]   = { "Q6_K", 256, 210 },
  [FACET_IQ4_NL] = { "IQ4_NL", 32, 18 },
  [FACET_IQ4_XS] = { "IQ4_XS", 256, 136 },
};

static const char *const ggml_names[] = {
  "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1",
  "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
  "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M",
  "BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8",
  "IQ4_NL_8_8", "MXFP4", "NVFP4", "Q1_0", "Q2_0",
};

const FacetDtypeInfo *
facet_dtype_info (guint32 dtype)
{
  static const FacetDtypeInfo none = { NULL, 1, 0 };

  return dtype < G_N_ELEMENTS (supported) && supported[dtype].name != NULL ? &supported[dtype] : &none;
}

const char *
facet_dtype_name (guint32 dtype)
{
  static const char *const unknown[] = {
    "type 43", "type 44", "type 45", "type 46", "type 47", "type 48", "type 49", "type 50",
  };

  if (dtype < G_N_ELEMENTS (ggml_names))
    return ggml_names[dtype];
  dtype -= G_N_ELEMENTS (ggml_names);
  return dtype < G_N_ELEMENTS (unknown) ? unknown[dtype] : "unknown type";
}

gsize
facet_dtype_row_bytes (FacetDtype dtype, gsize n)
{
  const FacetDtypeInfo *info = facet_dtype_info (dtype);

  return n / info->block * info->bytes;
}
