/* The icons that the program carries, drawn by GTK at the sizes that desktops use. */
#include <gtk/gtk.h>

#define ICON "io.github.facet_desktop.Facet"

static guint32 *
draw (const char *name, int size)
{
  GtkIconTheme *theme = gtk_icon_theme_get_for_display (gdk_display_get_default ());
  g_autoptr (GtkIconPaintable) icon = NULL;
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  guint32 *pixels = g_new0 (guint32, size * size);
  cairo_surface_t *surface = cairo_image_surface_create_for_data ((guchar *) pixels, CAIRO_FORMAT_ARGB32, size, size,
                                                                  size * 4);
  cairo_t *cr = cairo_create (surface);

  g_assert_true (gtk_icon_theme_has_icon (theme, name));
  icon = gtk_icon_theme_lookup_icon (theme, name, NULL, size, 1, GTK_TEXT_DIR_LTR, 0);
  g_assert_nonnull (strstr (gtk_icon_paintable_get_icon_name (icon), ICON));
  gdk_paintable_snapshot (GDK_PAINTABLE (icon), snapshot, size, size);
  node = gtk_snapshot_to_node (snapshot);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  return pixels;
}

static double
coverage (const guint32 *pixels, int size)
{
  double sum = 0;

  for (int i = 0; i < size * size; i++)
    sum += pixels[i] >> 24;
  return sum / 255 / (size * size);
}

static void
test_drawn (void)
{
  static const int sizes[] = { 16, 24, 32, 48, 64, 128 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree guint32 *full = draw (ICON, sizes[i]);
    g_autofree guint32 *symbolic = draw (ICON "-symbolic", sizes[i]);

    /* An octagon with a tail, on a clear ground. */
    g_assert_cmpfloat (coverage (full, sizes[i]), >, 0.5);
    g_assert_cmpfloat (coverage (full, sizes[i]), <, 0.8);
    g_assert_cmpfloat (coverage (symbolic, sizes[i]), >, 0.35);
    g_assert_cmpfloat (coverage (symbolic, sizes[i]), <, 0.7);
    g_assert_cmpuint (full[0] >> 24, ==, 0);
    g_assert_cmpuint (full[sizes[i] * sizes[i] - 1] >> 24, ==, 0);
  }
}

int
main (int argc, char *argv[])
{
  gtk_test_init (&argc, &argv, NULL);
  gtk_icon_theme_add_resource_path (gtk_icon_theme_get_for_display (gdk_display_get_default ()),
                                    "/io/github/facet_desktop/Facet/icons");
  g_test_add_func ("/icons/drawn", test_drawn);
  return g_test_run ();
}
