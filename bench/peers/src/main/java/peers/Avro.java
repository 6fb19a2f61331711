package peers;

import bench.Gathered;
import bench.Open;
import bench.Part;
import bench.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Supplier;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/** What is read, kept and written, in Avro's single-object encoding by its generated classes. */
final class Avro {
    static {
        // Avro makes objects only of classes that it is told to trust.
        System.setProperty("org.apache.avro.SERIALIZABLE_PACKAGES", "bench");
    }

    /** Items. */
    static final Serde<Work> ITEMS = serde(Work::getEncoder, Work::getDecoder);

    /** Openings of groups and their parts. */
    static final Serde<Part> PARTS = serde(Part::getEncoder, Part::getDecoder);

    /** Groups whose parts are waited for. */
    static final Serde<Open> OPEN = serde(Open::getEncoder, Open::getDecoder);

    /** What groups come to. */
    static final Serde<Gathered> GATHERED = serde(Gathered::getEncoder, Gathered::getDecoder);

    /** Suppliers, so that no generated class is loaded before the packages are trusted. */
    private static <T> Serde<T> serde(
            Supplier<BinaryMessageEncoder<T>> encoders,
            Supplier<BinaryMessageDecoder<T>> decoders) {
        BinaryMessageEncoder<T> encoder = encoders.get();
        BinaryMessageDecoder<T> decoder = decoders.get();
        Serializer<T> serializer = (topic, value) -> {
            try {
                return value == null ? null : encoder.encode(value).array();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        Deserializer<T> deserializer = (topic, bytes) -> {
            try {
                return bytes == null ? null : decoder.decode(bytes);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        return Serdes.serdeFrom(serializer, deserializer);
    }

    private Avro() {}
}
