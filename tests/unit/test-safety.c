/* How a safety model is told from others by what its file says, whatever the
 * file is called, and what is said of the one that judges texts. */
#include "facet.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  const char *title;
  const char *architecture;
  const char *key; /* a text of the file besides, or NULL */
  const char *text;
  gboolean    safety;
} Case;

static const Case cases[] = {
  { "bare", "gemma3", NULL, NULL, FALSE },
  { "name", "gemma3", "general.name", "Shieldgemma 2 4b It", TRUE },
  { "name/apart", "gemma3", "general.name", "Google: Shield_Gemma-2", TRUE },
  { "basename", "gemma3", "general.basename", "shieldgemma-2", TRUE },
  { "finetune", "gemma3", "general.finetune", "shieldgemma", TRUE },
  { "template", "gemma3", "tokenizer.chat_template", "{{ '<start_of_turn>user\n<BEGIN_SAFETY_POLICY>\n' }}", TRUE },
  { "text", "gemma2", "general.name", "Shieldgemma 2b", TRUE },
  { "medical", "gemma3", "general.name", "Medgemma 4b It", FALSE },
  { "halves", "gemma3", "general.name", "Shield for Gemma 2", FALSE },
  { "chats", "gemma3", "tokenizer.chat_template", "{{ bos_token }}<start_of_turn>user\nIs this a safety policy?", FALSE },
  { "mentioned", "gemma3", "general.description", "Filtered with ShieldGemma", FALSE },
};

static void
put_text (GByteArray *file, const char *text)
{
  guint64 length = GUINT64_TO_LE (strlen (text));

  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) text, strlen (text));
}

static void
put_pair (GByteArray *file, const char *key, const char *text)
{
  guint32 string = GUINT32_TO_LE (8);

  put_text (file, key);
  g_byte_array_append (file, (const guint8 *) &string, sizeof string);
  put_text (file, text);
}

/* A file of metadata alone. Returns: (transfer full): its path. */
static char *
write_file (const Case *c)
{
  const guint64 counts[] = { 0, GUINT64_TO_LE (c->key != NULL ? 2 : 1) }; /* tensors, keys */
  const guint32 version = GUINT32_TO_LE (3);
  const guint8 padding[32] = { 0 };
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  char *path;
  int fd = g_file_open_tmp ("facet-safety-XXXXXX.gguf", &path, &error);

  g_assert_no_error (error);
  g_byte_array_append (file, (const guint8 *) "GGUF", 4);
  g_byte_array_append (file, (const guint8 *) &version, sizeof version);
  g_byte_array_append (file, (const guint8 *) counts, sizeof counts);
  put_pair (file, "general.architecture", c->architecture);
  if (c->key != NULL)
    put_pair (file, c->key, c->text);
  g_byte_array_append (file, padding, (32 - file->len % 32) % 32);
  g_assert_true (g_file_set_contents (path, (const char *) file->data, file->len, &error));
  g_close (fd, NULL);
  return path;
}

static void
test_told (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *path = write_file (c);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModelInfo) info = facet_model_info_read (path, &error);

  g_remove (path);
  g_assert_no_error (error);
  g_assert_cmpint (info->is_safety, ==, c->safety);
}

static void
test_refused (void)
{
  const Case text_only = { .architecture = "gemma2", .key = "general.name", .text = "Shieldgemma 2b" };
  g_autofree char *path = write_file (&text_only);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, &(FacetModelParams){ 0 }, &error);

  g_remove (path);
  g_assert_null (model);
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "general.architecture is \"gemma2\"; of Gemma, only 3, 3n and 4 are run"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/safety/told/", cases[i].title, NULL);

    g_test_add_data_func (path, &cases[i], test_told);
  }
  g_test_add_func ("/safety/refused", test_refused);
  return g_test_run ();
}
