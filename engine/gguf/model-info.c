#include <string.h>

#include "facet.h"
#include "gguf/split.h"

/* general.file_type of the specification, by number. */
static const char *const file_types[] = {
  "F32", "F16", "Q4_0", "Q4_1", NULL, NULL, NULL, "Q8_0", "Q5_0", "Q5_1", "Q2_K",
  "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",
  "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ3_M",
  "IQ2_S", "IQ2_M", "IQ4_XS", "IQ1_M", "BF16", NULL, NULL, NULL, "TQ1_0", "TQ2_0", "MXFP4",
};

static const struct {
  const char *architecture;
  FacetFamily family;
  const char *vision; /* projector types that feed it */
  const char *audio;
} families[] = {
  { "gemma3", FACET_FAMILY_GEMMA3, "gemma3", NULL },
  { "gemma3n", FACET_FAMILY_GEMMA3N, "gemma3nv", "gemma3na" },
  { "gemma4", FACET_FAMILY_GEMMA4, "gemma4v", "gemma4a" },
};

static char *
get_text (FacetGguf *gguf, const char *key)
{
  const char *text = facet_gguf_get_string (gguf, key);

  return text == NULL ? g_strdup ("") : g_utf8_make_valid (text, -1);
}

static guint32
get_number (FacetGguf *gguf, const char *prefix, const char *key)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", prefix, key);
  guint32 value = 0;

  facet_gguf_get_u32 (gguf, full, &value);
  return value;
}

/* What the file says, else the type that takes most of its bytes. */
static char *
find_quantization (FacetGguf *gguf)
{
  gsize bytes[FACET_DTYPE_COUNT] = { 0 };
  guint32 file_type, best = 0;

  if (facet_gguf_get_u32 (gguf, "general.file_type", &file_type)
      && file_type < G_N_ELEMENTS (file_types) && file_types[file_type] != NULL)
    return g_strdup (file_types[file_type]);
  for (gsize i = 0; i < facet_gguf_n_tensors (gguf); i++) {
    const FacetTensor *tensor = facet_gguf_tensor_at (gguf, i);

    if (tensor->data != NULL)
      bytes[tensor->dtype] += tensor->bytes;
  }
  for (guint32 i = 1; i < FACET_DTYPE_COUNT; i++)
    if (bytes[i] > bytes[best])
      best = i;
  return g_strdup (facet_dtype_name (best));
}

static guint64
count_parameters (FacetGguf *gguf)
{
  guint64 sum = 0;

  for (gsize i = 0; i < facet_gguf_n_tensors (gguf); i++) {
    const FacetTensor *tensor = facet_gguf_tensor_at (gguf, i);

    sum += (guint64) tensor->ne[0] * tensor->ne[1] * tensor->ne[2] * tensor->ne[3];
  }
  return sum;
}

static void
read_projector (FacetGguf *gguf, FacetModelInfo *info)
{
  static const char *const type_keys[] = {
    "clip.projector_type", "clip.vision.projector_type", "clip.audio.projector_type",
  };

  info->is_projector = TRUE;
  facet_gguf_get_bool (gguf, "clip.has_vision_encoder", &info->has_vision);
  facet_gguf_get_bool (gguf, "clip.has_audio_encoder", &info->has_audio);
  info->width = get_number (gguf, info->has_vision ? "clip.vision" : "clip.audio", "projection_dim");
  info->layers = get_number (gguf, info->has_vision ? "clip.vision" : "clip.audio", "block_count");
  for (gsize i = 0; i < G_N_ELEMENTS (type_keys) && info->projector_type[0] == '\0'; i++) {
    g_free (info->projector_type);
    info->projector_type = get_text (gguf, type_keys[i]);
  }
}

/* "ShieldGemma 2 4b It", "shieldgemma-2", "Shield_Gemma": the name is written in many ways. */
static gboolean
names_shieldgemma (FacetGguf *gguf, const char *key)
{
  g_autofree char *text = get_text (gguf, key);
  g_autofree char *lower = g_ascii_strdown (text, -1);
  char *end = lower;

  for (const char *at = lower; *at != '\0'; at++)
    if (g_ascii_isalnum (*at))
      *end++ = *at;
  *end = '\0';
  return strstr (lower, "shieldgemma") != NULL;
}

/* Converters keep the original's chat template, whose words no other model is
 * asked with, and name the model after its folder or card. */
static gboolean
is_safety_model (FacetGguf *gguf)
{
  static const char *const keys[] = { "general.name", "general.basename", "general.finetune" };
  const char *chat_template = facet_gguf_get_string (gguf, "tokenizer.chat_template");

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (names_shieldgemma (gguf, keys[i]))
      return TRUE;
  return chat_template != NULL && strstr (chat_template, "<BEGIN_SAFETY_POLICY>") != NULL;
}

static void
read_model (FacetGguf *gguf, FacetModelInfo *info)
{
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_str_equal (info->architecture, families[i].architecture))
      info->family = families[i].family;
  info->context_length = get_number (gguf, info->architecture, "context_length");
  info->width = get_number (gguf, info->architecture, "embedding_length");
  info->layers = get_number (gguf, info->architecture, "block_count");
  info->has_chat_template = facet_gguf_get_string (gguf, "tokenizer.chat_template") != NULL;
  info->is_safety = is_safety_model (gguf);
}

static char **
list_files (const FacetGguf *gguf, const char *path)
{
  guint n = gguf->further->len;
  char **files = g_new0 (char *, n + 2);

  files[0] = g_strdup (path);
  for (guint i = 1; i <= n; i++)
    files[i] = gguf_part_path (gguf, path, i);
  return files;
}

FacetModelInfo *
facet_model_info_read (const char *path, GError **error)
{
  g_autoptr (FacetGguf) gguf = gguf_open_for_listing (path, error);
  FacetModelInfo *info;

  if (gguf == NULL)
    return NULL;
  info = g_new0 (FacetModelInfo, 1);
  info->path = g_strdup (path);
  info->architecture = get_text (gguf, "general.architecture");
  info->name = get_text (gguf, "general.name");
  info->quantization = find_quantization (gguf);
  info->projector_type = g_strdup ("");
  info->file_bytes = facet_gguf_size (gguf);
  info->parameters = count_parameters (gguf);
  info->files = list_files (gguf, path);
  info->part = gguf->part;
  if (g_str_equal (info->architecture, "clip"))
    read_projector (gguf, info);
  else
    read_model (gguf, info);
  return info;
}

void
facet_model_info_free (FacetModelInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->path);
  g_free (info->architecture);
  g_free (info->name);
  g_free (info->quantization);
  g_free (info->projector_type);
  g_strfreev (info->files);
  g_free (info);
}

gboolean
facet_projector_fits (const FacetModelInfo *model, const FacetModelInfo *projector)
{
  if (!projector->is_projector || model->is_projector || projector->width != model->width)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (families[i].family == model->family)
      return g_strcmp0 (projector->projector_type, families[i].vision) == 0
             || g_strcmp0 (projector->projector_type, families[i].audio) == 0;
  return FALSE;
}
